"""Clients that others wrote, against `turnkit listen`: does each receive what Flux would send?

    python -m benchmarks.compat [NAME ...]

Each client gets an environment of its own, with pinned versions, in `.cache/compat` (Node.js and
npm are needed for the JavaScript one). A real recording is sent to each at the pace of real time;
the engine hears a turn whose end it announces, takes back and announces again. What each client
reports to its user has to show just that. Exits with 1 if one does not.
"""
