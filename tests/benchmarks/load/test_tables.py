"""Tables of results whose figures are known."""


def table_of(suite, title):
    return next(one for one in suite.tables if one.title.startswith(title))


def test_what_grows_stands_beside_what_it_was(loaded):
    table = table_of(loaded("overhead", levels=(20, 1)), "Growth")
    assert (table.columns[2], table.columns[-1]) == ("turns 2 to 10", "90 to 110")
    relay, ours = (row for row in table.rows if row[1] == "request")
    assert (relay[2], ours[2], ours[-1]) == ("0.41/0.42", "2.05/2.10", "2.05/2.10")
    assert ours[4] == "2.05/2.10"
    assert ours[3] == "-"


def test_the_columns_are_told_by_calls_at_once(loaded):
    table = table_of(loaded("overhead", levels=(20, 1, 100)), "Overhead by calls")
    assert [row[:2] for row in table.rows] == [
        [subject, calls] for subject in ("relay", "turnkit") for calls in ("1", "20", "100")
    ]
    assert all(cell.endswith("(120)") for row in table.rows for cell in row[2:])


def test_who_had_to_wait_for_a_connection_is_counted(loaded):
    table = table_of(loaded("overhead"), "Connections")
    assert [row[:5] for row in table.rows] == [
        [subject, "8", "25.0%", "0.0%", "0.25"] for subject in ("relay", "turnkit")
    ]
