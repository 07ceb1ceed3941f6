# The image of an environment without links: names, sizes and modes, for the kernel to show leaves under.
{ run }:
let
  inherit (builtins) map toString;

  # What mounts images, compiled once for an interpreter.
  compiled =
    { system, interpreter }:
    run.run {
      name = "nixgen-venv-compiled";
      builder = "compiled";
      inherit system interpreter;
      attributes = { inherit (run) venv; };
      allowSubstitutes = false;
    };
in
{
  # mounted :: { env, trees, interpreter } -> derivation
  #
  # A directory: `image.erofs`, which names leaves by their store paths; links to env (`environment`) and to
  # what mounts it (`venv`). env: an environment that is made of `trees`, as `tree` and `ofBuild` give them.
  mounted =
    {
      env,
      trees,
      interpreter,
    }:
    run.run {
      name = "${env.name}-mounted";
      builder = "mounted";
      inherit (env) system;
      inherit interpreter;
      attributes = {
        env = "${env}";
        compiled = toString (compiled {
          inherit interpreter;
          inherit (env) system;
        });
        trees = map (
          tree:
          {
            path = "${tree}";
          }
          # As run.nix has given them to the tree's own builder.
          // (if tree ? attributesPath then { inherit (tree) attributesPath; } else { inherit (tree) attributes; })
        ) trees;
      };
      allowSubstitutes = false;
    };
}
