"""The configuration: where it comes from, what it means, and where an environment keeps its state.

`azolla.toml` < environment variables (`AZOLLA_LOCAL_…`) < flags. What is needed at every command
(`sandbox.config.locations`) imports only the standard library; the settings (`sandbox.config.settings`,
`sandbox.config.sources`) are imported by those who read them.
"""
