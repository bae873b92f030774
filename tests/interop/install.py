"""Real clients that the distribution has no package of, from their own registries, once, into a folder of the build.

Each `install` returns the folder, or skips the test that asks for it (broker.skip) when the client's tool chain or its
registry is not there. Versions are fixed, so that a test's outcome does not depend on the day."""
import hashlib
import os
import shutil
import subprocess
import sys

from broker import skip

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = 240  # for all that a client needs
BOTO3 = "boto3==1.44.5"
JAVASCRIPT = ["@aws-sdk/client-kinesis@3.1143.0"]
JAVA = "2.41.21"


def run(command, cwd, **environment):
    """Its output; None when it fails, hangs, or is not there."""
    try:
        done = subprocess.run(command, cwd=cwd, env=os.environ | environment, timeout=SECONDS, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, str(error)
    return (done.stdout if done.returncode == 0 else None), done.stdout


def installed(directory, name, wanted, tools, steps):
    """The folder for `name`, made by `steps(folder)` unless that has been done for the same `wanted`."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        skip(f"{name}: {', '.join(missing)} is not installed")
    folder = os.path.join(directory, name)
    stamp = os.path.join(folder, "installed")
    if os.path.exists(stamp) and open(stamp).read() == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for command, environment in steps(folder):
        output, said = run(command, folder, **environment)
        if output is None:
            print(said[-2000:])
            # What is ours to compile must compile; all else is a registry that is not reachable.
            if command[0] == "javac" or command[:2] in (["go", "build"], ["cargo", "build"]):
                sys.exit(f"{name}: its program does not compile")
            skip(f"{name}: cannot be installed from its registry here")
    with open(stamp, "w") as file:
        file.write(wanted)
    return folder


def boto3(directory):
    """A Python with the newest boto3."""
    def steps(folder):
        yield [sys.executable, "-m", "venv", folder], {}
        yield [os.path.join(folder, "bin", "pip"), "install", "-q", BOTO3], {}
    return os.path.join(installed(directory, "boto3", BOTO3, [], steps), "bin", "python")


def javascript(directory):
    """A folder with the JavaScript SDK beside our programs."""
    programs = os.path.join(HERE, "javascript")

    def steps(folder):
        yield ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--prefix", folder, *JAVASCRIPT], {}
    folder = installed(directory, "javascript", " ".join(JAVASCRIPT), ["node", "npm"], steps)
    for name in os.listdir(programs):
        shutil.copy(os.path.join(programs, name), folder)
    return folder


def sources(*folders):
    """A digest of the files there, so that a change compiles them again."""
    digest = hashlib.sha256()
    for folder in folders:
        for name in sorted(os.listdir(folder)):
            if os.path.isfile(os.path.join(folder, name)):
                with open(os.path.join(folder, name), "rb") as file:
                    digest.update(file.read())
    return digest.hexdigest()


def java(directory):
    """A class path with the Java SDK and our programs."""
    programs = os.path.join(HERE, "java")

    def steps(folder):
        shutil.copy(os.path.join(programs, "pom.xml"), folder)
        yield ["mvn", "-q", "-B", f"-Dsdk.version={JAVA}", "-Dmaven.repo.local=" + os.path.join(directory, "maven"),
               "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies", "-DoutputDirectory=jars"], {}
        files = [os.path.join(programs, name) for name in os.listdir(programs) if name.endswith(".java")]
        yield ["javac", "-Xlint:all", "-cp", "jars/*", "-d", "classes", *files], {}
    folder = installed(directory, "java", JAVA + sources(programs), ["java", "javac", "mvn"], steps)
    return f"{folder}/jars/*:{folder}/classes"


def go(directory):
    """Our program with the Go SDK."""
    programs = os.path.join(HERE, "go")

    def steps(folder):
        for name in os.listdir(programs):
            shutil.copy(os.path.join(programs, name), folder)
        modules = {"GOMODCACHE": os.path.join(directory, "go-modules"), "GOFLAGS": "-modcacherw -mod=mod"}
        yield ["go", "mod", "download"], modules
        yield ["go", "build", "-o", "life", "."], modules
    return os.path.join(installed(directory, "go", sources(programs), ["go"], steps), "life")


def rust(directory):
    """Our program with the Rust SDK; the first build takes about two minutes."""
    programs = os.path.join(HERE, "rust")

    def steps(folder):
        shutil.copytree(programs, folder, dirs_exist_ok=True)
        target = {"CARGO_TARGET_DIR": os.path.join(directory, "rust-target")}
        yield ["cargo", "fetch", "--locked"], target
        yield ["cargo", "build", "--locked", "--offline"], target
    wanted = sources(programs, os.path.join(programs, "src"))
    return os.path.join(installed(directory, "rust", wanted, ["cargo"], steps), "..", "rust-target", "debug", "life")


def kcl(directory, version):
    """A class path with that version of the Kinesis Client Library and our worker."""
    programs = os.path.join(HERE, "kcl1" if version.startswith("1.") else "kcl")

    def steps(folder):
        shutil.copy(os.path.join(programs, "pom.xml"), folder)
        yield ["mvn", "-q", "-B", f"-Dkcl.version={version}", "-Dmaven.repo.local=" + os.path.join(directory, "maven"),
               "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies", "-DoutputDirectory=jars"], {}
        yield ["javac", "-cp", "jars/*", "-d", "classes", os.path.join(programs, "Worker.java")], {}
    folder = installed(directory, "kcl-" + version, version + sources(programs), ["java", "javac", "mvn"], steps)
    return f"{folder}/jars/*:{folder}/classes"
