# A file of the network, by Nix's own fetcher and its hash alone.
let
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
  # fetch :: { name, url, sha256 } -> derivation
  #
  # The file as it is served. What is made of it does not depend on its URL.
  fetch =
    {
      name,
      url,
      sha256,
    }:
    derivation {
      inherit name url;
      system = "builtin";
      builder = "builtin:fetchurl";
      urls = [ url ];
      executable = false;
      unpack = false;
      outputHash = sha256;
      outputHashAlgo = "sha256";
      outputHashMode = "flat";
      preferLocalBuild = true;
      impureEnvVars = proxies;
    };
}
