"""The paths of the HTTP API, one file for each resource."""
