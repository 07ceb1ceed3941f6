# A wheel: the transport of leaves. Fetched as it is served, and unpacked for the ingest.
{
  fetch,
  names,
  run,
}:
let
  inherit (builtins) path substring;
in
{
  # fetchWheel :: { lock, filename : string } -> store path
  #
  # The wheel itself, verified by its SHA-256: from its URL by Nix's own fetcher, or from disk.
  fetchWheel =
    { lock, filename }:
    let
      wheel = lock.wheels.${filename};
      name = names.storeName filename;
      isAbsolute = substring 0 1 wheel.path == "/";
    in
    if wheel ? path then
      path {
        inherit name;
        inherit (wheel) sha256;
        recursive = false;
        path = if isAbsolute then wheel.path else lock.directory + "/${wheel.path}";
      }
    else
      fetch.fetch {
        inherit name;
        inherit (wheel) url sha256;
      };

  # unpackWheel :: { wheel : store path, filename : string, system, interpreter, flat ? false } -> derivation
  #
  # The wheel's files, as they lie in the archive; or, flat, each beside the others under the SHA-256 of its path there,
  # which needs no quoting in a URL.
  unpackWheel =
    {
      wheel,
      filename,
      system,
      interpreter,
      flat ? false,
    }:
    run.run {
      name = "unpacked-${filename}";
      builder = "unpack";
      inherit system interpreter;
      attributes = {
        inherit wheel;
      }
      // (if flat then { inherit flat; } else { });
      # Unpacking costs less than asking a substituter for it.
      allowSubstitutes = false;
    };
}
