# The library of nixgen: a lock in, derivations out. One file per noun; nothing but builtins.
#
#   nixgen = import ./nixgen;
#   nixgen.env { lock = nixgen.readLock ./nixgen.lock; system = "x86_64-linux"; }
let
  fetch = import ./fetch.nix;
  leaf = import ./leaf.nix;
  names = import ./names.nix;
  platform = import ./platform.nix;
  interpreter = import ./interpreter.nix;
  libraries = import ./libraries.nix { inherit interpreter; };
  lock = import ./lock.nix;
  run = import ./run.nix { inherit names; };
  standalone = import ./standalone.nix { inherit fetch names run; };
  wheel = import ./wheel.nix { inherit fetch names run; };
  index = import ./index.nix { inherit leaf; };
  ingest = import ./ingest.nix {
    inherit
      index
      leaf
      run
      wheel
      ;
  };
  build = import ./build.nix { inherit fetch names run; };
  origin = import ./origin.nix { inherit build fetch names; };
  tree = import ./tree.nix { inherit leaf names run; };
  mounted = import ./mounted.nix { inherit run; };
  env = import ./env.nix {
    inherit
      build
      index
      ingest
      interpreter
      libraries
      lock
      mounted
      names
      npm
      origin
      run
      standalone
      tree
      ;
  };
  npmArchive = import ./npm_archive.nix { inherit fetch names run; };
  npmInstances = import ./npm_instances.nix {
    inherit
      interpreter
      lock
      npmArchive
      platform
      run
      standalone
      ;
  };
  npm = import ./npm.nix {
    inherit
      interpreter
      names
      npmInstances
      run
      ;
  };
  image = import ./image.nix { inherit names run; };
  packages = import ./packages.nix { inherit env libraries; };
  mirrors = import ./mirrors.nix;
  modulePython = import ./module_python.nix { inherit env libraries packages; };
  moduleNode = import ./module_node.nix { inherit npm run; };
  module = import ./module.nix { inherit lock modulePython moduleNode; };
  shell = import ./shell.nix { inherit packages run; };
in
{
  inherit (lock) readLock selectTarget selectPackages;
  inherit (mirrors) withMirrors;
  inherit (leaf) leaf leafName;
  inherit (index) readIndex;
  inherit (wheel) fetchWheel unpackWheel;
  inherit (build) fetchSource buildWheel;
  inherit (ingest) sources;
  inherit (origin) originOf;
  inherit (tree) tree;
  inherit (env) env trees;
  inherit (image) image;
  inherit (mounted) mounted;
  inherit (packages) packagesFor nixpkgsPython;
  inherit (module) mkModule;
  inherit (npm) npmEnv npmInstances;
  inherit (npmArchive) fetchArchive;
  inherit (shell) mkShell devShellsFor;
  inherit (libraries) nixpkgsLibraries;
  interpreter = interpreter.interpreter;
}
