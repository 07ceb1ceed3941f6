# The Python that a lock names: an archive of python-build-standalone, unpacked by Nix itself, with bytecode. It needs the C
# library of the machine, and nothing else of it.
{
  fetch,
  names,
  run,
  exists ? builtins.pathExists,
}:
let
  inherit (builtins)
    baseNameOf
    elemAt
    getEnv
    match
    replaceStrings
    ;

  # Another root of the archives, as uv has it, where evaluation may see the environment; what is made of them does not
  # depend on it.
  mirror = getEnv "UV_PYTHON_INSTALL_MIRROR";
  mirrored =
    url:
    if mirror == "" then
      url
    else if match "[a-z]+://[^/]*@.*" mirror != null then
      throw ''
        nixgen: the URL of the mirror has a login, which would be in the store
          where: UV_PYTHON_INSTALL_MIRROR
          what to do: put the login into the file that Nix's setting netrc-file names''
    else
      "${elemAt (match "(.*[^/])/*" mirror) 0}/${elemAt (match ".*/([^/]+/[^/]+)" url) 0}";

  # The dynamic loaders that the archives' programs name; macOS has its own in every sandbox.
  loaders = {
    x86_64-linux = "/lib64/ld-linux-x86-64.so.2";
    aarch64-linux = "/lib/ld-linux-aarch64.so.1";
    i686-linux = "/lib/ld-linux.so.2";
  };

  # Whether this evaluation sees the machine that will build: not where it is pure or restricted, nor for another system.
  seesMachine = system: builtins.currentSystem or null == system && exists "/bin/sh";

  # NixOS has a loader at that place which only says that there is none, unless nix-ld stands there.
  runs =
    loader:
    exists loader && (!(exists "/etc/NIXOS") || exists "/run/current-system/sw/share/nix-ld/lib/ld.so");
in
{
  # standalone :: target -> python
  #
  # The Python of a lock's target that names one, as `interpreter` takes it.
  standalone =
    target:
    let
      inherit (target) system;
      inherit (target.interpreter) url sha256;
      loader = loaders.${system} or null;
      file = replaceStrings [ "%2B" "%2b" ] [ "+" "+" ] (baseNameOf url);

      unpacked = derivation {
        name = "python-${target.fullVersion}-unpacked";
        system = "builtin";
        builder = "builtin:unpack-channel";
        src = fetch.fetch {
          name = names.storeName file;
          url = mirrored url;
          inherit sha256;
        };
        # What the archive has at its top, and what that is called then.
        channelName = "python";
        preferLocalBuild = true;
        # Unpacking costs less than asking a substituter for it.
        allowSubstitutes = false;
      };
      bare = rec {
        directory = "${unpacked}/python/bin";
        path = "${directory}/python${target.python}";
      };

      # A build that does nothing. It fails where the sandbox hides the C library, and then its name is in Nix's message,
      # the only text of ours that is.
      visible = run.run {
        name = "see-the-C-library-of-this-machine--if-a-sandbox-hides-it-show-it-by--option-extra-sandbox-paths-or--option-sandbox-false";
        builder = "nothing";
        interpreter = bare;
        inherit system;
        allowSubstitutes = false;
      };

      compiled = run.run {
        name = "python-${target.fullVersion}";
        builder = "python";
        interpreter = bare;
        inherit system;
        attributes = {
          python = "${unpacked}/python";
          inherit visible;
        };
      };
    in
    if loader != null && seesMachine system && !(runs loader) then
      throw ''
        nixgen: this machine has no C library where the lock's standalone Python looks for it
          where: ${loader}
          what to do: use nixpkgs' Python, through `nixgen lock --no-standalone` and `nixgen init`, or name one (--python PATH); on NixOS, programs.nix-ld.enable puts one there''
    else
      {
        outPath = "${compiled}";
        interpreter = "${compiled}/bin/python${target.python}";
        pythonVersion = target.python;
        # It searches the machine's directories for libraries, as the machine's own does.
        usesMachine = true;
      };
}
