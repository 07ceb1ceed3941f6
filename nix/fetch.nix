# A file of the network, by Nix's own fetcher and its hash alone.
let
  inherit (builtins) head match;

  # A private index may need them, and a proxy.
  proxies = [
    "http_proxy"
    "https_proxy"
    "ftp_proxy"
    "all_proxy"
    "no_proxy"
  ];
in
{
  # fetch :: { name, url, sha256 | hash } -> derivation
  #
  # The file as it is served. What is made of it does not depend on its URL. hash: "sha512-" and base64, as npm has it.
  fetch =
    {
      name,
      url,
      sha256 ? null,
      hash ? sha256,
    }:
    derivation {
      inherit name url;
      system = "builtin";
      builder = "builtin:fetchurl";
      urls = [ url ];
      executable = false;
      unpack = false;
      outputHash = hash;
      outputHashAlgo = if sha256 == null then head (match "([a-z0-9]+)-.*" hash) else "sha256";
      outputHashMode = "flat";
      preferLocalBuild = true;
      impureEnvVars = proxies;
    };
}
