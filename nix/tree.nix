# A tree: one wheel, installed. Real directories, links to leaves, copies and bytecode; shared by every environment.
{
  leaf,
  names,
  run,
}:
let
  inherit (builtins)
    head
    isAttrs
    isList
    mapAttrs
    toFile
    ;

  # The lock's tree of hashes as a tree of leaves. A file is its hash, "" where it is empty, and [ hash "x" ] where the
  # archive marks it executable; a directory is an attribute set.
  leaves =
    source: prefix:
    mapAttrs (
      file: entry:
      let
        place =
          sha256:
          leaf.leaf {
            inherit file sha256;
            source = source "${prefix}${file}";
          };
      in
      if isAttrs entry then
        leaves source "${prefix}${file}/" entry
      else if isList entry then
        [
          (place (head entry))
          "x"
        ]
      else if entry == "" then
        ""
      else
        place entry
    );

  # INSTALLER of every distribution (PEP 376), named like a leaf so that links to it stay short.
  installer = toFile "file" "nixgen\n";
in
{
  # tree :: { lock, package, system, interpreter, source : member -> path } -> derivation
  #
  # Takes nothing but leaves: that is why all ways of ingest give the same derivation.
  tree =
    {
      lock,
      package,
      system,
      interpreter,
      source,
    }:
    let
      wheel = lock.wheels.${package.wheel};
    in
    run.run {
      name = "${package.name}-${package.version}";
      builder = "tree";
      inherit system interpreter;
      attributes = {
        inherit (package) version;
        distribution = package.name;
        inherit (wheel) distInfo;
        dataDir = wheel.dataDir or "";
        scripts = wheel.scripts or { };
        inherit installer;
        files = leaves source "" wheel.files;
      };
    };
}
