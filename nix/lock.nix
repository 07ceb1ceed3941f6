# What nixgen.lock says: reading it, its targets, and the packages that a choice of extras and groups needs.
let
  inherit (builtins)
    all
    any
    attrNames
    concatMap
    concatStringsSep
    elem
    filter
    fromJSON
    getEnv
    groupBy
    head
    isList
    length
    listToAttrs
    map
    readFile
    substring
    ;

  inherit (import ./mirrors.nix) withMirrors;

  # The only format this library knows; nixgen/lock.py writes it.
  format = 2;

  keyOf = target: "${target.python}-${target.system}";

  # When a target has a package: a disjunctive normal form of selectors. None of no clauses ever holds.
  whenOf =
    target: package:
    let
      always = package.when or [ [ ] ];
      targets = package.targets or null;
    in
    if targets == null then
      always
    else if isList targets then
      if elem (keyOf target) targets then always else [ ]
    else
      targets.${keyOf target} or [ ];

  listed = names: if names == [ ] then "none" else concatStringsSep ", " names;
in
rec {
  # readLock :: path -> lock
  #
  # The parsed lock, with `directory`, which relative paths of wheels refer to, and `wheels`, its packages by the file
  # names of their wheels; these with the URLs of the mirrors that the environment names, where evaluation may see it.
  readLock =
    file:
    let
      lock = fromJSON (readFile file);
      found = lock.nixgen or null;
    in
    if found != format then
      throw ''
        nixgen: the lock has format ${toString found}, and this copy of the Nix library reads format ${toString format}
          where: ${toString file}
          what to do: run `nixgen lock`, which writes both anew''
    else
      withMirrors (getEnv "NIXGEN_MIRROR") (
        lock
        // {
          directory = dirOf file;
          wheels = listToAttrs (
            map (package: {
              name = package.wheel;
              value = package;
            }) lock.packages
          );
        }
      );

  # selectTarget :: { lock : lock, system : string, version : string | null } -> target
  #
  # The lock's first target for a Nix system, and for a Python version ("3.11") where one is given.
  selectTarget =
    {
      lock,
      system,
      version ? null,
    }:
    let
      fits = filter (
        target: target.system == system && (version == null || target.python == version)
      ) lock.targets;
    in
    if fits == [ ] then
      throw ''
        nixgen: the lock has nothing for ${if version == null then "any Python" else "Python ${version}"} on ${system}
          where: nixgen.lock, which has: ${listed (map (t: "${t.python} on ${t.system}") lock.targets)}
          what to do: run `nixgen lock --system ${system}${
            if version == null then "" else " --python ${version}"
          }`''
    else
      head fits;

  # selectPackages :: { lock, target, extras : [string], groups : [string], package ? null } -> [package]
  #
  # The packages of a target that an environment with these extras and groups holds: the root's, or that of a member of
  # its workspace by name. Throws on a name that the lock does not hold, and where the choice asks for two versions of one
  # package.
  selectPackages =
    {
      lock,
      target,
      extras,
      groups,
      package ? null,
    }:
    let
      members = if package == null then [ ] else [ package ];
      chosen =
        map (name: "extra:${name}") extras
        ++ map (name: "group:${name}") groups
        ++ map (name: "package:${name}") members;
      # Clauses of a member count where it is chosen, and there no others do.
      isOfMember = clause: any (selector: substring 0 8 selector == "package:") clause;
      counts = clause: if package == null then !(isOfMember clause) else elem "package:${package}" clause;
      holds =
        selector:
        if substring 0 1 selector == "!" then
          !(elem (substring 1 (-1) selector) chosen)
        else
          elem selector chosen;
      wanted = package: any (all holds) (filter counts (whenOf target package));

      unknown =
        kind: asked: held:
        let
          missing = filter (name: !(elem name held)) asked;
        in
        if missing == [ ] then
          [ ]
        else
          throw ''
            nixgen: the lock holds no ${kind} named ${listed missing}
              where: nixgen.lock, which holds: ${listed held}
              what to do: choose among these, or lock again with it'';

      packages = filter wanted lock.packages;
      byName = groupBy (package: package.name) packages;
      twice = filter (name: length byName.${name} > 1) (attrNames byName);
      conflict = name: "${name} (${concatStringsSep " and " (map (p: p.version) byName.${name})})";
    in
    if
      unknown "extra" extras lock.extras
      ++ unknown "group" groups lock.groups
      ++ unknown "member" members (lock.members or [ ]) != [ ]
    then
      [ ]
    else if twice != [ ] then
      throw ''
        nixgen: these extras and groups want different versions of ${listed (map conflict twice)}
          where: extras ${listed extras}; groups ${listed groups}
          what to do: build them in environments of their own''
    else
      packages;
}
