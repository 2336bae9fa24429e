"""Who thinks: models that turn a conversation into words and requests for tools."""
