# Packages of npm as a project has them: an environment of links to them, and its images.
{
  interpreter,
  names,
  npmInstances,
  run,
}:
let
  inherit (builtins)
    attrNames
    filter
    groupBy
    head
    map
    split
    ;
  inherit (npmInstances) instancesOf;
in
{
  # npmInstances :: { lock, system, python ? null, version ? null, node ? null, omit ? [ ] } -> { <place> : string }
  #
  # Where the package of each place of the lock lies that is for the system: `node_modules/react`, its path in the store.
  npmInstances = arguments: (instancesOf arguments).places;

  # npmEnv :: { lock, system, python ? null, version ? null, node ? null, omit ? [ ], name ? "node-env" } -> derivation
  #
  # lock: what readLock gave, with a section `npm`. system: a Nix system. python, version: of the interpreter that the
  # builders take, as for `env`; a lock with no target takes the machine's python3. node: a package or a directory with
  # bin/node, whose programs come into bin, and which runs install scripts; null brings none. omit: "dev", "optional" and
  # "peer", as npm's --omit.
  npmEnv =
    {
      name ? "node-env",
      node ? null,
      ...
    }@arguments:
    let
      made = instancesOf (removeAttrs arguments [ "name" ]);
      packages = map (
        package:
        if package ? link then
          {
            inherit (package) at link;
            bin = names.pairs (package.bin or { });
          }
        else
          {
            inherit (package) at integrity;
            path = made.places.${package.at};
            url = package.url or null;
            bin = names.pairs (package.bin or { });
            flags = filter (flag: package.${flag} or false) [
              "dev"
              "optional"
              "devOptional"
              "peer"
            ];
          }
      ) made.packages;
      environment = run.run {
        inherit name;
        inherit (arguments) system;
        builder = "npm_environment";
        inherit (made) interpreter;
        attributes = {
          inherit packages;
          node = if node == null then null else "${interpreter.located "${node}"}";
        };
        allowSubstitutes = false;
      };

      # By the directory of each node_modules, "" for the project's, the packages below it.
      parts = groupBy (package: head (split "(^|/)node_modules/" package.at)) packages;

      # The node_modules of a directory as npm lays it out, as an image to mount. That of the project names those of
      # workspaces, which have packages of their own.
      imageOf =
        directory:
        run.run {
          name = "${name}-mounted";
          inherit (arguments) system;
          builder = "npm_mounted";
          inherit (made) interpreter;
          attributes = {
            inherit directory;
            project = made.section.name or "";
            environment = "${environment}";
          }
          // (
            if directory == "" then
              {
                inherit packages;
                workspaces = map (other: [
                  other
                  "${imageOf other}"
                ]) (filter (other: other != "") (attrNames parts));
              }
            else
              { packages = parts.${directory}; }
          );
          allowSubstitutes = false;
        };
    in
    environment
    // {
      mounted = imageOf "";
      # Where each package lies.
      nixgen = {
        inherit (made) interpreter;
        packages = made.places;
      };
    };
}
