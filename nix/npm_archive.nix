# The archive of a package of npm: fetched as it is, or packed of a commit of Git.
{
  fetch,
  names,
  run,
}:
let
  inherit (builtins)
    fetchGit
    path
    replaceStrings
    stringLength
    substring
    ;
in
rec {
  # shortName :: int -> string -> string
  #
  # A package's name as the name of a store path, of so many characters: with 13, a link to "p" in it has 59, the most
  # that ext4 keeps in an inode.
  shortName =
    most: name:
    let
      plain = names.storeName (replaceStrings [ "@" "/" ] [ "" "-" ] name);
    in
    if stringLength plain > most then substring 0 most plain else plain;

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
}
