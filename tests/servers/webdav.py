"""A WebDAV server of its own on loopback, until its standard input is closed: webdav.py PORT

User `agency`, password `s3cr3t`. Prints one line when it is ready: the folder that it serves.
"""

import os
import shutil
import sys
import tempfile
import threading

from cheroot import wsgi
from wsgidav.wsgidav_app import WsgiDAVApp

directory = tempfile.mkdtemp()
app = WsgiDAVApp(
    {
        "provider_mapping": {"/": directory},
        "simple_dc": {"user_mapping": {"*": {"agency": {"password": "s3cr3t"}}}},
        "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
        "logging": {"enable": False},
        "verbose": 0,
    }
)
server = wsgi.Server(("127.0.0.1", int(sys.argv[1])), app)
server.prepare()
threading.Thread(target=server.serve, daemon=True).start()
print(directory, flush=True)
# Whoever started this holds the other end: it is closed when that ends, however it ends.
sys.stdin.read()
shutil.rmtree(directory, ignore_errors=True)
os._exit(0)
