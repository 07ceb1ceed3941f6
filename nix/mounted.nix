# The image of an environment without links: names, sizes and modes, for the kernel to show leaves under.
{ run }:
let
  inherit (builtins) map;
in
{
  # mounted :: { env, trees, interpreter } -> derivation
  #
  # A directory: `image.erofs`, which names leaves by their store paths, and `environment`, a link to env. env: an
  # environment that is made of `trees`, as `tree` and `ofBuild` give them.
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
