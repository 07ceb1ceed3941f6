# Packages of npm: one store path for each instance of a package, and the environment that links to them.
{
  fetch,
  interpreter,
  lock,
  names,
  platform,
  run,
  standalone,
}:
let
  inherit (builtins)
    any
    attrNames
    concatMap
    elem
    elemAt
    fetchGit
    filter
    groupBy
    head
    listToAttrs
    map
    match
    path
    replaceStrings
    sort
    split
    stringLength
    substring
    tail
    ;

  # A package's name as the name of a store path, of so many characters: with 13, a link to "p" in it has 59, the most
  # that ext4 keeps in an inode.
  shortName =
    most: name:
    let
      plain = names.storeName (replaceStrings [ "@" "/" ] [ "" "-" ] name);
    in
    if stringLength plain > most then substring 0 most plain else plain;

  # What is called by it at a place: the last part, with its scope.
  nameAt = at: elemAt (match "(.*/)?node_modules/(.+)" at) 1;

  # Where a dependency is to lie below an instance's node_modules: a key of the lock may lead into the package, which is
  # called there as at its place, and here by its own name.
  placeIn =
    package:
    let
      above = "${nameAt package.at}/node_modules/";
      length = stringLength above;
    in
    key:
    if substring 0 length key == above then
      "${package.name}/node_modules/${substring length (-1) key}"
    else if key == package.name then
      "${key}/node_modules/${key}"
    else
      key;

  # fetchArchive :: { lock, package, system ? null, interpreter ? null } -> derivation
  #
  # The archive of a package, by its integrity: one path for all places that have it. system, interpreter: what packs the
  # files of a Git commit, and nothing else.
  fetchArchive =
    {
      lock,
      package,
      system ? null,
      interpreter ? null,
    }:
    let
      name = names.storeName "${shortName 100 package.name}-${package.version or ""}.tgz";
      place = package.path;
      isAbsolute = substring 0 1 place == "/";
    in
    if package ? url then
      fetch.fetch {
        inherit name;
        inherit (package) url;
        hash = package.integrity;
      }
    else if package ? repository then
      run.run {
        inherit name system interpreter;
        builder = "npm_pack";
        builders = run.buildersOf [ "npm_pack" ];
        attributes = {
          files = package.files or [ ];
          source =
            (fetchGit {
              url = package.repository;
              rev = package.commit;
              allRefs = true;
              submodules = true;
            }).outPath;
        };
        hash = package.integrity;
      }
    else
      # builtins.path compares with SHA-256 alone; what it gives is an input, which a sandbox shows.
      fetch.fetch {
        inherit name;
        url = "file://${
          path {
            inherit name;
            recursive = false;
            path = if isAbsolute then place else lock.directory + "/${place}";
          }
        }";
        hash = package.integrity;
      };

  # The builders that a package's path depends on, and no other.
  packageBuilders = run.compiledOf [
    "npm_archive"
    "npm_instance"
    "npm_package"
    "plain_json"
  ];

  # Those of a package whose install scripts run, which no other's path depends on.
  scriptBuilders = run.buildersOf [
    "npm_archive"
    "npm_instance"
    "npm_scripts"
  ];

  # The interpreter of the builders: that of the environment where the lock has one, else the machine's python3.
  interpreterOf =
    {
      lock,
      system,
      python,
      version,
    }:
    let
      shown = interpreter.versionOf python;
      targets = filter (target: target.system == system) lock.targets;
    in
    if targets == [ ] then
      interpreter.interpreter {
        inherit python;
        version = if shown == null then "3" else shown;
      }
    else
      interpreter.ofTarget standalone.standalone {
        inherit python;
        target = locks.selectTarget {
          inherit lock system;
          version = if version == null then shown else version;
        };
      };
  locks = lock;

  # What of a lock is for a system: its packages by their places, and what is made of them.
  resolve =
    {
      lock,
      system,
      python,
      version,
      omit,
      node,
    }:
    let
      section =
        lock.npm or (throw ''
          nixgen: the lock has nothing of npm
            where: nixgen.lock
            what to do: run `nixgen lock` in a project with a package-lock.json'');
      found = interpreterOf {
        inherit
          lock
          system
          python
          version
          ;
      };

      builders = packageBuilders {
        inherit system;
        interpreter = found;
      };

      packages = platform.select { inherit section system omit; };
      unpacked = filter (package: !(package ? link)) packages;
      # Whether a package has install scripts that run.
      isAllowed = package: package ? scripts && elem package.name (section.scripts or [ ]);
      allowed = filter isAllowed unpacked;
      isThere = listToAttrs (
        map (package: {
          name = package.at;
          value = true;
        }) unpacked
      );

      # By the smallest place of each, those that are one store path.
      components = groupBy (package: package.cycle or package.at) unpacked;
      numbered = listToAttrs (
        concatMap (
          key:
          let
            members = membersOf.${key};
          in
          if tail members == [ ] then
            [
              {
                name = (head members).at;
                value = {
                  inherit key;
                  suffix = "";
                  number = 0;
                };
              }
            ]
          else
            numbers key 0 members
        ) (attrNames components)
      );
      numbers =
        key: number: members:
        if members == [ ] then
          [ ]
        else
          [
            {
              name = (head members).at;
              value = {
                inherit key number;
                suffix = toString number;
              };
            }
          ]
          ++ numbers key (number + 1) (tail members);
      # In an order that says nothing of the place: the same cycle elsewhere is the same path.
      membersOf = builtins.mapAttrs (
        _:
        sort (
          a: b:
          let
            of = package: [
              package.name
              package.integrity
              package.at
            ];
          in
          of a < of b
        )
      ) components;

      instances = builtins.mapAttrs (
        key: members:
        let
          isAlone = tail members == [ ];
          scripted = any isAllowed members;
        in
        run.run {
          name = shortName (if isAlone then 13 else 10) (head members).name;
          builder = if scripted then "npm_scripts" else "npm_package";
          builders = if scripted then scriptBuilders else builders;
          inherit system;
          interpreter = found;
          attributes = {
            packages = map (
              package:
              {
                inherit (package) name;
                archive = "${
                  fetchArchive {
                    inherit lock package system;
                    interpreter = found;
                  }
                }";
                bin = builtins.attrValues (package.bin or { });
                dependencies = concatMap (
                  name:
                  let
                    at = package.dependencies.${name};
                    to = numbered.${at};
                  in
                  if !(isThere ? ${at}) then
                    [ ] # dropped, omitted, or a directory of the project, which no store path can lead to
                  else
                    [
                      [
                        (placeIn package name)
                        (if to.key == key then to.number else "${instances.${to.key}}/p${to.suffix}")
                      ]
                    ]
                ) (attrNames (package.dependencies or { }));
              }
              // (if isAllowed package then { inherit (package) scripts; } else { })
            ) members;
          }
          // (if scripted then { node = "${interpreter.located "${node}"}"; } else { });
        }
      ) membersOf;
      instanceAt = at: "${instances.${numbered.${at}.key}}/p${numbered.${at}.suffix}";
    in
    if allowed != [ ] && node == null then
      throw ''
        nixgen: no Node.js is given to run the install scripts that are allowed, of ${
          toString (attrNames (groupBy (package: package.name) allowed))
        }
          where: nix/default.nix
          what to do: name the directory that has bin/node: write `node ? "/usr",` for `node ? null,`; or for once, `nixgen build --node /usr`''
    else
      {
        inherit
          section
          packages
          instances
          instanceAt
          ;
        interpreter = found;
      };

  defaults = {
    python = null;
    version = null;
    omit = [ ];
    node = null;
  };
in
{
  inherit fetchArchive;

  # npmInstances :: { lock, system, python ? null, version ? null, node ? null, omit ? [ ] } -> { <place> : string }
  #
  # Where the package of each place of the lock lies that is for the system: `node_modules/react`, its path in the store.
  npmInstances =
    arguments:
    let
      made = resolve (defaults // arguments);
    in
    listToAttrs (
      map (package: {
        name = package.at;
        value = made.instanceAt package.at;
      }) (filter (package: !(package ? link)) made.packages)
    );

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
      made = resolve (defaults // removeAttrs arguments [ "name" ]);
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
            path = made.instanceAt package.at;
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
        packages = listToAttrs (
          map (package: {
            name = package.at;
            value = made.instanceAt package.at;
          }) (filter (package: !(package ? link)) made.packages)
        );
      };
    };
}
