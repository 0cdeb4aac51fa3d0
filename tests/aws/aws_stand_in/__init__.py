"""AWS for tests: moto plays it, and this package adds what moto lacks and what a test must be able to see and to break.

Added: RegisterScalableTarget sets the service's desired count, ECS services run real processes, the agent's task protection
endpoint, scaling activities, CloudWatch's CBOR protocol. For tests: every call with its arrival time, faults, tasks, metrics.
What moto does well (Secrets Manager, the records of ECS and Application Auto Scaling) is moto's own.
"""
