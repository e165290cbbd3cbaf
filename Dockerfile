# What building Fovea and running its tests need. Tools/install-packages has the list of packages, and nothing else has.
#
#   docker build --tag fovea .
#   docker run --rm --interactive --tty --volume "$PWD:/fovea" fovea Tools/quickstart
FROM swift:6.3-bookworm
COPY Tools/install-packages /fovea/Tools/install-packages
RUN /fovea/Tools/install-packages --tests && rm -rf /var/lib/apt/lists/*
WORKDIR /fovea
