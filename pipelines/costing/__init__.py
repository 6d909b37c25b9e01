"""Cost inputs that models and decisions share: assumptions, the choice of a throughput row, exchange rates."""
