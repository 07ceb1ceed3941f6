# How leaves get into the store. Every way gives the same leaves. `wheels` and `store` give the same derivations too: a
# leaf enters them as a plain path. Under `fixed` it enters as a derivation's output, which Nix hashes differently: the
# leaves are the same paths, trees and environments are not.
{
  index,
  leaf,
  run,
  wheel,
}:
let
  inherit (builtins)
    attrNames
    concatMap
    elemAt
    foldl'
    genericClosure
    genList
    hashString
    head
    isAttrs
    isList
    length
    listToAttrs
    map
    pathExists
    readFile
    seq
    unsafeDiscardStringContext
    ;

  # What stands for a leaf that only the store may have, and for an index that nix/index should have: a missing one makes
  # Nix look for a file that is not what it should be, and its message names that file.
  missing = ./run-nixgen-fetch;
  unvendored = ./run-nixgen-lock--vendor;

  # What a build is called that evaluation waits for: where that is forbidden, its name is in Nix's message, the only text
  # of ours that is.
  waited =
    name: "${name}--if-import-from-derivation-is-forbidden-take-ingest-store-or-fixed";

  # A build that does nothing. It fails where the sandbox hides the machine's own Python, and then says so in the same way.
  visible =
    { system, interpreter }:
    run.run {
      name = waited "see-${baseNameOf interpreter.path}-of-this-machine--if-a-sandbox-hides-it-use-nixpkgs-or--option-sandbox-false";
      builder = "nothing";
      inherit system interpreter;
      allowSubstitutes = false;
    };

  # All wheels at once: what is built here is built in parallel, where evaluation would take them one by one.
  gate =
    {
      unpacked,
      system,
      interpreter,
    }:
    run.run {
      name = waited "unpacked-wheels";
      builder = "nothing";
      inherit system interpreter;
      attributes = {
        inherit unpacked;
      };
      allowSubstitutes = false;
    };

  # The non-empty files below a directory of an index: [ { key, filename, path, file, sha256 } ], with equal keys where the
  # leaf is the same.
  members =
    filename: prefix: directory:
    concatMap (
      file:
      let
        entry = directory.${file};
        path = "${prefix}${file}";
        sha256 = if isList entry then head entry else entry;
      in
      if isAttrs entry then
        members filename "${path}/" entry
      else if sha256 == "" then
        [ ]
      else
        [
          {
            key = "${leaf.leafName file} ${sha256}";
            inherit
              filename
              path
              file
              sha256
              ;
          }
        ]
    ) (attrNames directory);

  # chain :: [ member ] -> (member -> url) -> [ derivation ]
  #
  # A derivation for each, in the order given; each waits for the one before. Nix wakes every build that waits for its
  # turn whenever one ends, which costs time by the square of their number; and 2.34 keeps memory of each time: of 1,000
  # leaves, 77 MB for a chain and 166 MB for two side by side.
  chain =
    wanted: url:
    let
      leaves = genList (
        index:
        let
          member = elemAt wanted index;
        in
        leaf.buildLeaf {
          inherit (member) file sha256;
          member = "${member.filename}: ${member.path}";
          url = url member;
          after = if index == 0 then null else elemAt leaves (index - 1);
        }
      ) (length wanted);
    in
    # From the first to the last, or evaluation would go down as deep as the chain is long.
    seq (foldl' (_: made: seq made.outPath null) null leaves) leaves;

  # The unpacked wheels by their file names; those that no index has are built.
  unpackAll =
    {
      lock,
      filenames,
      system,
      interpreter,
      build ? throw "nixgen: nothing was given to build ${toString filenames} with",
    }:
    flat:
    listToAttrs (
      map (filename: {
        name = filename;
        value =
          if lock.wheels.${filename} ? source then
            build flat lock.wheels.${filename}
          else
            wheel.unpackWheel {
              inherit
                filename
                flat
                system
                interpreter
                ;
              wheel = wheel.fetchWheel { inherit lock filename; };
            };
      }) filenames
    );

  ways = {
    # From the unpacked wheels: nothing but Nix is needed.
    wheels =
      {
        lock,
        filenames,
        system,
        interpreter,
        ...
      }@of:
      let
        unpacked = unpackAll of false;
        all = gate {
          inherit system interpreter;
          unpacked = map (filename: unpacked.${filename}) filenames;
        };
        checked = if interpreter.machine then readFile (visible { inherit system interpreter; }) else "";
      in
      filename:
      let
        # Without its context, for Nix would look for the build again at every leaf: 0.7 s where 0.15 s do. A leaf is
        # taken at once, and `pathExists` has seen to the build and, in pure evaluation, to the right to read it.
        root = unsafeDiscardStringContext unpacked.${filename}.outPath;
        there = pathExists "${unpacked.${filename}}";
      in
      # Forced once for each wheel; Nix remembers them.
      seq checked (
        seq (readFile all) (
          seq there {
            index = index.check {
              inherit lock filename;
              file = "${root}/index.json";
              where = "nixgen.lock";
            };
            member = name: "${root}/files/${name}";
          }
        )
      );

    # From the store alone: `nixgen build` has put the leaves there.
    store = _: _: {
      index = missing;
      member = _: missing;
    };

    # From the unpacked wheels, by a derivation for each leaf: nothing is built while evaluating.
    fixed =
      {
        lock,
        filenames,
        ...
      }@of:
      let
        unpacked = unpackAll of true;
        all = map (filename: {
          name = filename;
          value = members filename "" (index.readIndex {
            inherit lock filename;
            source = unvendored;
          }).files;
        }) filenames;
        # A leaf that several files share is built once.
        distinct = genericClosure {
          startSet = concatMap (entry: entry.value) all;
          operator = _: [ ];
        };
        leaves = chain distinct (
          member: "file://${unpacked.${member.filename}}/files/${hashString "sha256" member.path}"
        );
        byKey = listToAttrs (
          genList (index: {
            name = (elemAt distinct index).key;
            value = elemAt leaves index;
          }) (length distinct)
        );
        byPath = listToAttrs (
          map (entry: {
            inherit (entry) name;
            value = listToAttrs (
              map (member: {
                name = member.path;
                value = byKey.${member.key};
              }) entry.value
            );
          }) all
        );
      in
      filename: {
        # Nothing is built to evaluate: the store has it, or nix/index beside the lock.
        index = unvendored;
        member = path: byPath.${filename}.${path};
      };
  };
in
{
  # sources :: string -> { lock, filenames, system, interpreter, build ? }
  #         -> (filename -> { index : path, member : string -> path | derivation })
  #
  # Where to take the index of a wheel from, and each member, when the store lacks their leaves; by the name of the way.
  # build: flat -> package -> derivation, for the wheels that no index has.
  sources =
    way:
    ways.${way} or (throw ''
      nixgen: there is no ingest named ${way}
        where: the argument `ingest`
        what to do: choose "wheels", "store" or "fixed"'');
}
