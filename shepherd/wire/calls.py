"""The gRPC calls by their full names, as a client dials them and a server registers them."""

CLIENT_SERVICE = "azolla.orchestrator.ClientService"
CLUSTER_SERVICE = "azolla.orchestrator.ClusterService"
WORKER_SERVICE = "azolla.shepherd.Worker"
TASKS_SERVICE = "azolla_local.Tasks"


def path(service: str, method: str) -> str:
    """The path of a call: `/azolla.orchestrator.ClientService/CreateTask`."""
    return f"/{service}/{method}"


CLUSTER_STREAM = path(CLUSTER_SERVICE, "Stream")
