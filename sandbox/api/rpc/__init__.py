"""The gRPC door: Azolla's services for clients and shepherds, and our own for batches."""
