#!/usr/bin/env python3
"""What deploy/ ships is what the program needs: deploy_test.py PROGRAM."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

program = sys.argv[1]

# The unit, with the built program in its place.
if shutil.which("systemd-analyze"):
    unit = pathlib.Path("deploy/systemd/tidemill.service").read_text()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "tidemill.service"
        path.write_text(unit.replace("/usr/bin/tidemill", str(pathlib.Path(program).resolve())))
        done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True)
        ours = [line for line in done.stderr.splitlines() if "tidemill" in line]
        assert done.returncode == 0 and not ours, done.stderr
    print("systemd unit: verified")
else:
    print("skipped: systemd-analyze is not there")

# The image installs every Debian package that a shared library of the program comes from.
dockerfile = pathlib.Path("deploy/docker/Dockerfile").read_text()
runtime = dockerfile[dockerfile.rindex("FROM "):]
# In the base image, or brought by the packages named.
base = {"libc6", "libgcc-s1", "libbsd0", "libmd0", "libtinfo6"}
if shutil.which("dpkg-query"):
    libraries = re.findall(r"=> (/\S+)", subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout)
    for library in libraries:
        owner = subprocess.run(["dpkg-query", "-S", str(pathlib.Path(library).resolve())], capture_output=True, text=True)
        if owner.returncode != 0:  # merged /usr: dpkg may know the file without its /usr
            owner = subprocess.run(["dpkg-query", "-S", re.sub(r"^/usr", "", str(pathlib.Path(library).resolve()))],
                                   capture_output=True, text=True)
        package = owner.stdout.split(":")[0]
        if package and package not in base:
            assert package in runtime, f"the Dockerfile does not install {package} ({library})"
    print("Dockerfile: has the program's libraries")
