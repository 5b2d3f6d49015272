"""What can be done with a running orchestrator, one file a family of use cases. What all transports call."""
