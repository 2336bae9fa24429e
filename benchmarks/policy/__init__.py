"""What each way of speculating costs and gains: virtual time, exact, the same on every machine.

    turnkit bench policy

People from a seed (`people`), and recorded Flux sessions (`recorded`), are heard by a Flux of given
thresholds (`detector`) and answered by a whole turnkit session under one policy (`policies`) with a
model and a voice of given speed (`services`). Nothing here says how fast turnkit's code is: in
virtual time it takes none. It says how long a person waits, and what that costs.
"""
