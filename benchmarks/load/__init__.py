"""The load: what the call path adds. Real sockets, real time, loopback, providers with set delays.

Four processes: the providers (a scripted Flux, a model, a voice), the callers (open loop: their
frames leave on schedule whatever comes back), the subject, and this one, which sleeps. All times
are CLOCK_MONOTONIC, which is one clock for all processes of a machine. Whose reply a sound is can
be heard from the sound itself (`codes`), so nothing has to be matched while the run goes on.

A subject is a program that keeps to `subjects.contract`; the bare relay is the limit that every
other is held against. The suites are `benchmarks.suites.overhead`, `scale`, `soak` and `peers`.
"""
