"""The tier `resident`: warm Python workers that run many attempts, one after another or many at once with asyncio."""
