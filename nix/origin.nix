# Where a package comes from that no index gave: what installers write down of it (PEP 610, direct_url.json).
{
  build,
  fetch,
  names,
}:
let
  inherit (builtins) substring unsafeDiscardStringContext;

  # Named, and not kept for it.
  fileUrl = path: "file://${unsafeDiscardStringContext "${path}"}";

  # Where the store has a file, whether it has it or not.
  stored =
    file:
    fetch.fetch {
      name = names.storeName (baseNameOf file.path);
      url = "";
      inherit (file) sha256;
    };

  # Of a wheel or the archive of a source.
  ofArchive = file: {
    url =
      # Not that of a mirror.
      file.origin or file.url or (fileUrl (if substring 0 1 file.path == "/" then file.path else stored file));
    archive_info = {
      hash = "sha256=${file.sha256}";
      hashes = { inherit (file) sha256; };
    };
  };

  inside =
    source: origin:
    if source ? subdirectory then origin // { inherit (source) subdirectory; } else origin;
in
{
  # originOf :: { lock, package } -> { url, ... } | null
  #
  # The content of direct_url.json of a package of the lock, as pip and uv write it; null where an index has it. A path
  # that is relative to the lock names nothing elsewhere: there it is the store path of the file or directory.
  #
  #   originOf { inherit lock; package = lock.wheels."demo-1.0-py3-none-any.whl"; }
  #   => { url = "https://example.org/demo-1.0-py3-none-any.whl"; archive_info = { … }; }
  originOf =
    { lock, package }:
    let
      source = package.source or package;
    in
    if source ? repository then
      inside source {
        url = source.repository;
        vcs_info = {
          vcs = "git";
          commit_id = source.commit;
        }
        // (if source ? revision then { requested_revision = source.revision; } else { });
      }
    else if source ? directory then
      inside source {
        url = fileUrl (build.fetchSource { inherit lock package; });
        dir_info = { };
      }
    else if package.direct or false then
      inside source (ofArchive source)
    else
      null;
}
