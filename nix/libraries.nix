# Libraries of the system that wheels need: what nixpkgs has for a SONAME, and what a user gives.
{ interpreter }:
let
  inherit (builtins)
    concatStringsSep
    elem
    filter
    foldl'
    head
    isAttrs
    isPath
    isString
    listToAttrs
    map
    match
    split
    tail
    ;

  # Attribute paths in nixpkgs by SONAME, of which the first that there is counts: packages are renamed, and the set `xorg`
  # was dissolved in 2026 (nixpkgs pull request 479724). What PEP 600 lets wheels expect of a system, and what wheels of
  # graphical toolkits and databases ask for beyond.
  attributes = {
    "libEGL.so.1" = [ "libglvnd" ];
    "libGL.so.1" = [ "libglvnd" ];
    "libGLESv2.so.2" = [ "libglvnd" ];
    "libGLX.so.0" = [ "libglvnd" ];
    "libICE.so.6" = [
      "libice"
      "xorg.libICE"
    ];
    "libOpenGL.so.0" = [ "libglvnd" ];
    "libSM.so.6" = [
      "libsm"
      "xorg.libSM"
    ];
    "libX11-xcb.so.1" = [
      "libx11"
      "xorg.libX11"
    ];
    "libX11.so.6" = [
      "libx11"
      "xorg.libX11"
    ];
    "libXcomposite.so.1" = [
      "libxcomposite"
      "xorg.libXcomposite"
    ];
    "libXcursor.so.1" = [
      "libxcursor"
      "xorg.libXcursor"
    ];
    "libXdamage.so.1" = [
      "libxdamage"
      "xorg.libXdamage"
    ];
    "libXext.so.6" = [
      "libxext"
      "xorg.libXext"
    ];
    "libXfixes.so.3" = [
      "libxfixes"
      "xorg.libXfixes"
    ];
    "libXi.so.6" = [
      "libxi"
      "xorg.libXi"
    ];
    "libXinerama.so.1" = [
      "libxinerama"
      "xorg.libXinerama"
    ];
    "libXrandr.so.2" = [
      "libxrandr"
      "xorg.libXrandr"
    ];
    "libXrender.so.1" = [
      "libxrender"
      "xorg.libXrender"
    ];
    "libXtst.so.6" = [
      "libxtst"
      "xorg.libXtst"
    ];
    "libasound.so.2" = [ "alsa-lib" ];
    "libatomic.so.1" = [ "stdenv.cc.cc" ];
    "libbz2.so.1.0" = [ "bzip2" ];
    "libcrypto.so.3" = [ "openssl" ];
    "libcurl.so.4" = [ "curl" ];
    "libdbus-1.so.3" = [ "dbus" ];
    "libdrm.so.2" = [ "libdrm" ];
    "libexpat.so.1" = [ "expat" ];
    "libffi.so.8" = [ "libffi" ];
    "libfontconfig.so.1" = [ "fontconfig" ];
    "libfreetype.so.6" = [ "freetype" ];
    "libgbm.so.1" = [
      "libgbm"
      "mesa"
    ];
    "libgcc_s.so.1" = [ "stdenv.cc.cc" ];
    "libgfortran.so.5" = [ "gfortran.cc" ];
    "libglib-2.0.so.0" = [ "glib" ];
    "libgobject-2.0.so.0" = [ "glib" ];
    "libgio-2.0.so.0" = [ "glib" ];
    "libgomp.so.1" = [ "stdenv.cc.cc" ];
    "libgssapi_krb5.so.2" = [ "libkrb5" ];
    "libgthread-2.0.so.0" = [ "glib" ];
    "libkrb5.so.3" = [ "libkrb5" ];
    "liblzma.so.5" = [ "xz" ];
    "libnspr4.so" = [ "nspr" ];
    "libnss3.so" = [ "nss" ];
    "libnssutil3.so" = [ "nss" ];
    "libodbc.so.2" = [
      "unixodbc"
      "unixODBC"
    ];
    "libportaudio.so.2" = [ "portaudio" ];
    "libpq.so.5" = [
      "libpq"
      "postgresql"
    ];
    "libpulse.so.0" = [ "libpulseaudio" ];
    "libsmime3.so" = [ "nss" ];
    "libsqlite3.so.0" = [ "sqlite" ];
    "libssl.so.3" = [ "openssl" ];
    "libstdc++.so.6" = [ "stdenv.cc.cc" ];
    "libusb-1.0.so.0" = [ "libusb1" ];
    "libuuid.so.1" = [ "libuuid" ];
    "libwayland-client.so.0" = [ "wayland" ];
    "libwayland-cursor.so.0" = [ "wayland" ];
    "libwayland-egl.so.1" = [ "wayland" ];
    "libxcb-cursor.so.0" = [
      "xcb-util-cursor"
      "xorg.xcbutilcursor"
    ];
    "libxcb-icccm.so.4" = [
      "libxcb-wm"
      "xorg.xcbutilwm"
    ];
    "libxcb-image.so.0" = [
      "libxcb-image"
      "xorg.xcbutilimage"
    ];
    "libxcb-keysyms.so.1" = [
      "libxcb-keysyms"
      "xorg.xcbutilkeysyms"
    ];
    "libxcb-render-util.so.0" = [
      "libxcb-render-util"
      "xorg.xcbutilrenderutil"
    ];
    "libxcb-util.so.1" = [
      "libxcb-util"
      "xorg.xcbutil"
    ];
    "libxkbcommon-x11.so.0" = [ "libxkbcommon" ];
    "libxkbcommon.so.0" = [ "libxkbcommon" ];
    "libz.so.1" = [ "zlib" ];
    "libzstd.so.1" = [ "zstd" ];
  }
  # One library for each extension of the protocol.
  // listToAttrs (
    map
      (extension: {
        name = "libxcb${extension}";
        value = [
          "libxcb"
          "xorg.libxcb"
        ];
      })
      [
        ".so.1"
        "-glx.so.0"
        "-randr.so.0"
        "-render.so.0"
        "-shape.so.0"
        "-shm.so.0"
        "-sync.so.1"
        "-xfixes.so.0"
        "-xinerama.so.0"
        "-xinput.so.0"
        "-xkb.so.1"
      ]
  );

  # What an attribute path leads to; null where a nixpkgs has no such thing.
  found =
    pkgs: path:
    foldl' (set: name: if set == null then null else set.${name} or null) pkgs (
      filter isString (split "[.]" path)
    );

  # The first of several; the others are not looked at, since a renamed one warns.
  firstFound =
    pkgs: paths:
    if paths == [ ] then
      null
    else
      let
        package = found pkgs (head paths);
      in
      if package == null then firstFound pkgs (tail paths) else package;

  # The output that holds the libraries of a package, as nixpkgs' lib.getLib says.
  libraryOutput =
    package:
    if package.outputSpecified or false then
      package
    else if elem "lib" (package.outputs or [ ]) then
      package.lib
    else
      package.out or package;
in
rec {
  # nixpkgsLibraries :: pkgs -> [ soname ] -> [ derivation ]
  #
  #   nixpkgsLibraries pkgs [ "libGL.so.1" "libz.so.1" ] => [ pkgs.libglvnd pkgs.zlib ]
  nixpkgsLibraries =
    pkgs: sonames:
    let
      one =
        soname:
        let
          paths =
            attributes.${soname} or (throw ''
              nixgen: no package of nixpkgs is known for a library
                where: ${soname}
                what to do: give the package itself: libraries = pkgs: [ pkgs.… ]'');
          package = firstFound pkgs paths;
        in
        if package == null then
          throw ''
            nixgen: this nixpkgs lacks the package of a library
              where: ${soname}, the attribute ${concatStringsSep " or " paths}
              what to do: give the package that has it: libraries = pkgs: [ pkgs.… ]''
        else
          libraryOutput package;
    in
    map one sonames;

  # runtimeLibraries :: pkgs -> system -> [ derivation ]
  #
  # The runtimes of C++, GCC and OpenMP, and zlib: in the closure of nixpkgs' Python already, and all that most wheels
  # need. None but for Linux: the libraries of other systems are found by their paths.
  runtimeLibraries =
    pkgs: system:
    if match ".*-linux" system == null then
      [ ]
    else
      map libraryOutput (
        filter (package: package != null) (
          map (found pkgs) [
            "stdenv.cc.cc"
            "zlib"
          ]
        )
      );

  # directories :: [ derivation | path ] -> [ string ]
  #
  # What a user gives as libraries, as text that makes a derivation depend on it.
  directories = map (
    given:
    if isAttrs given then
      "${libraryOutput given}"
    else if isPath given then
      "${given}"
    else
      interpreter.located given
  );
}
