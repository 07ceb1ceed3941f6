# A leaf: one non-empty file of a wheel as a store path, flat, keyed by its SHA-256.
let
  inherit (builtins) head match path;
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

  # leaf :: { file : string, sha256 : string, source : path } -> store path
  #
  # The file's own name, its SHA-256 in any of Nix's spellings, and where to take it from when the store lacks it. A
  # valid leaf is found without looking at `source`.
  leaf =
    {
      file,
      sha256,
      source,
    }:
    path {
      name = leafName file;
      recursive = false;
      inherit sha256;
      path = source;
    };
}
