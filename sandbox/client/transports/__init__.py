"""How requests travel: HTTP for everything, and gRPC for what is asked most. `contract` has what they promise."""
