"""schemathesis over schemas/openapi.yaml against the running server: no 5xx, no undocumented answer.

Slow, so only with FAREGATE_SLOW=1 (make test-slow); FAREGATE_EXAMPLES sets the examples an operation.
"""

import os
import subprocess
import sys
import tempfile

import faregate


def main():
    with tempfile.TemporaryDirectory() as folder:
        server = faregate.Server(folder, arguments=["--test-clock"]).start()
        try:
            done = subprocess.run([
                "schemathesis", "run", str(faregate.ROOT / "schemas/openapi.yaml"),
                "--url", f"http://127.0.0.1:{server.port}",
                "--header", f"Authorization: Bearer {faregate.ADMIN_KEY}",
                "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,"
                            "response_schema_conformance",
                "--max-examples", os.environ.get("FAREGATE_EXAMPLES", "50"),
                # Not the coverage phase: it ends in the tool's own SystemError on deep schemas.
                "--phases", "examples,fuzzing,stateful", "--seed", "20261122", "--workers", "2",
            ])
            assert server.process.poll() is None, "the server died"
            server.stop()
            faregate.verify(server.db)
        finally:
            if server.process.poll() is None:
                server.kill()
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
