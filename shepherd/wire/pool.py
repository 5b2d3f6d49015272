"""The descriptor pool of our own messages.

Azolla's Python client registers files and messages of the same names in protobuf's default pool.
A pool of our own lets both live in one process.
"""

from google.protobuf.descriptor_pool import DescriptorPool

POOL = DescriptorPool()
