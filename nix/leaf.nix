# A leaf: one non-empty file of a wheel as a store path, flat, keyed by its SHA-256.
let
  inherit (builtins)
    head
    isAttrs
    match
    path
    ;
in
rec {
  # leafName :: string -> string
  #
  # "file" and the last suffix, 15 characters at most: ext4 keeps a link target of up to 59 characters in the inode, and
  # the store directory with the hash takes 44. nixgen/leaf.py has the same rule.
  #
  #   leafName "app.cpython-311-x86_64-linux-gnu.so" => "file.so"
  #   leafName "LICENSE" => "file"
  leafName =
    file:
    let
      suffix = match ".+([.][A-Za-z0-9_+-]{1,10})" file;
    in
    if suffix == null then "file" else "file${head suffix}";

  # leaf :: { file : string, sha256 : string, source : path | derivation } -> store path
  #
  # The file's own name, its SHA-256 in any of Nix's spellings, and where to take it from when the store lacks it: a path,
  # or what buildLeaf gave for it. A valid leaf is found without looking at `source`.
  leaf =
    {
      file,
      sha256,
      source,
    }:
    if isAttrs source then
      source.outPath
    else
      path {
        name = leafName file;
        recursive = false;
        inherit sha256;
        path = source;
      };

  # buildLeaf :: { file : string, sha256 : string, url : string, after : derivation | null, member : string } -> derivation
  #
  # The same store path as a fixed-output derivation, for where nothing may be built while evaluating. Nix copies it from
  # `url` itself, without starting a program. after: what has to be built before. member: for who reads the derivation.
  # Neither has a part in the output's path.
  buildLeaf =
    {
      file,
      sha256,
      url,
      after,
      member,
    }:
    derivation {
      name = leafName file;
      system = "builtin";
      builder = "builtin:fetchurl";
      inherit url after member;
      executable = false;
      unpack = false;
      outputHash = sha256;
      outputHashAlgo = "sha256";
      outputHashMode = "flat";
      preferLocalBuild = true;
      # Copying costs less than asking a substituter for it.
      allowSubstitutes = false;
    };
}
