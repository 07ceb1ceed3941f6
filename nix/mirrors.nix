# From where wheels are fetched in place of the URLs of the lock. What is fetched has the lock's hash, so that nothing that is
# built depends on it.
let
  inherit (builtins)
    elemAt
    filter
    foldl'
    isString
    map
    mapAttrs
    match
    split
    stringLength
    substring
    ;

  withoutSlash = text: elemAt (match "(.*[^/])/*" text) 0;

  # One mirror, as nixgen/mirrors.py has it: ROOT, or PREFIX=ROOT.
  parse =
    text:
    let
      named = match "(https?://[^=]+)=(https?://[^=]+)" text;
      plain = match "https?://[^=]+" text;
      root = if named == null then text else elemAt named 1;
    in
    if named == null && plain == null then
      throw ''
        nixgen: this is no mirror: ${text}
          where: NIXGEN_MIRROR, or the argument of withMirrors
          what to do: give the URL of its root, or what it stands for and its root: PREFIX=ROOT''
    else if match "https?://[^/]*@.*" root != null then
      throw ''
        nixgen: a mirror's URL has a login, which would be in the store
          where: NIXGEN_MIRROR, or the argument of withMirrors
          what to do: put the login into the file that Nix's setting netrc-file names, or use `nixgen build`''
    else
      {
        prefix = if named == null then "" else withoutSlash (elemAt named 0);
        root = withoutSlash root;
      };

  # Where a mirror has the file of a URL; null where it is for other URLs.
  of =
    url: mirror:
    let
      length = stringLength mirror.prefix;
      rest = substring length (stringLength url) url;
    in
    if mirror.prefix == "" then
      mirror.root + elemAt (match "https?://[^/]*(.*)" url) 0
    else if substring 0 length url == mirror.prefix && match "(/.*)?" rest != null then
      mirror.root + rest
    else
      null;

  # The longest prefix wins, and of two equal ones the first.
  better =
    url: best: mirror:
    if of url mirror == null then
      best
    else if best == null || stringLength mirror.prefix > stringLength best.prefix then
      mirror
    else
      best;
in
{
  # withMirrors :: string -> lock -> lock
  #
  # The lock with other URLs: withMirrors "https://mirror.example.org/pypi" lock. Several mirrors are separated by spaces.
  withMirrors =
    said: lock:
    let
      mirrors = map parse (filter (word: isString word && word != "") (split "[ \t\n]+" said));
      mirrored =
        url:
        let
          best = foldl' (better url) null mirrors;
        in
        if best == null then url else of url best;
      # The one before is what installers write down.
      mirroredOf =
        wheel: file:
        {
          url = mirrored file.url;
        }
        // (if wheel.direct or false then { origin = file.origin or file.url; } else { });
    in
    if mirrors == [ ] then
      lock
    else
      lock
      // {
        wheels = mapAttrs (
          _: wheel:
          wheel
          // (if wheel ? url then mirroredOf wheel wheel else { })
          // (
            if wheel ? source.url then
              { source = wheel.source // mirroredOf wheel wheel.source; }
            else
              { }
          )
        ) lock.wheels;
      };
}
