"""The worker of the tier `resident`: many attempts, one module loaded once.

Start it with `shepherd.workers.commands.resident_command`. As a file that is run, it is compiled at every start: it
only finds the package and hands over.
"""

import sys

if __name__ == "__main__":
    root = __file__.rpartition("/shepherd/")[0]
    if root not in sys.path:
        sys.path.append(root)
    from shepherd.workers.resident_main import main

    main(sys.argv[1:])
