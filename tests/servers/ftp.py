"""An FTP server of its own on loopback, until its standard input is closed: ftp.py PORT

User `agency`, password `s3cr3t`; `anonymous` sees the same. Prints one line when it is ready: the folder that it serves.
"""

import os
import shutil
import sys
import tempfile
import threading

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

directory = tempfile.mkdtemp()
authorizer = DummyAuthorizer()
authorizer.add_user("agency", "s3cr3t", directory, perm="elr")
authorizer.add_anonymous(directory)
FTPHandler.authorizer = authorizer
FTPHandler.auth_failed_timeout = 0
server = FTPServer(("127.0.0.1", int(sys.argv[1])), FTPHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(directory, flush=True)
# Whoever started this holds the other end: it is closed when that ends, however it ends.
sys.stdin.read()
shutil.rmtree(directory, ignore_errors=True)
os._exit(0)
