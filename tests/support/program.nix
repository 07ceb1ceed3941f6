# A Python program, run by an environment inside a build: in a full sandbox it sees the store and nothing of the machine.
{ env, code, system ? builtins.currentSystem }:
derivation {
  name = "program";
  inherit system;
  builder = "${builtins.storePath env}/bin/python";
  # What it prints, its failure too, is the output.
  args = [
    "-c"
    ''
      import os, subprocess, sys
      code = os.environ["code"]
      with open(os.environ["out"], "wb") as out:
          subprocess.run([sys.executable, "-c", code], stdout=out, stderr=out)
    ''
  ];
  inherit code;
  # Nix gives a builder its bare name as argv[0]; Python finds itself, and its environment, through PATH.
  PATH = "${builtins.storePath env}/bin";
}
