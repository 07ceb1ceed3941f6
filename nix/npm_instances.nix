# The packages of npm that a lock has for a system, and a store path for each instance of one.
{
  interpreter,
  lock,
  npmArchive,
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
    filter
    groupBy
    head
    listToAttrs
    map
    match
    sort
    stringLength
    substring
    tail
    ;
  inherit (npmArchive) fetchArchive shortName;

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
in
{
  # instancesOf :: { lock, system, python ? null, version ? null, omit ? [ ], node ? null }
  #             -> { section, interpreter, packages : [ package ], places : { <place> : string } }
  #
  # What a lock has for a system: its packages, links of the project among them, and where in the store that of each
  # place lies which is none.
  instancesOf =
    {
      lock,
      system,
      python ? null,
      version ? null,
      omit ? [ ],
      node ? null,
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
                  if !(places ? ${at}) then
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

      # Whose keys are known without looking into one.
      places = listToAttrs (
        map (
          { at, ... }:
          {
            name = at;
            value = "${instances.${numbered.${at}.key}}/p${numbered.${at}.suffix}";
          }
        ) unpacked
      );
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
        inherit section packages places;
        interpreter = found;
      };
}
