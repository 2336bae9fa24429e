"""Who hears words: a module each, whose name is its name in the setting `recognizer`."""
