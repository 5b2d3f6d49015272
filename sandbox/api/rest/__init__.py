"""The HTTP API: the same use cases as over gRPC, for people and programs. `app.create_app` builds it."""
