"""The doors: gRPC for Azolla's clients and shepherds, HTTP for people and programs."""
