"""Where events and tasks are kept. The promises are in `sandbox.store.contract`; SQLite is the one that lasts."""
