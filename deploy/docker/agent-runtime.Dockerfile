# Image of agent-runtime. Build it from the root of the repository:
#   docker build --file deploy/docker/agent-runtime.Dockerfile --tag spanwise-agent-runtime .
FROM node:26.10.0-bookworm-slim AS build
ENV CI=true
WORKDIR /src
# Packages first: this layer holds until the lockfile changes, and all images share it.
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
RUN npx --yes pnpm@12.21.0 fetch
COPY . .
RUN npx --yes pnpm@12.21.0 install --frozen-lockfile --offline
RUN node scripts/bundle.mjs agent-runtime

FROM node:26.10.0-bookworm-slim
ENV NODE_ENV=production SPANWISE_HOST=0.0.0.0 SPANWISE_PORT=7002
WORKDIR /app
COPY deploy/docker/healthcheck.mjs ./
COPY services/agent-runtime/agents agents/
COPY --from=build /src/services/agent-runtime/dist/ dist/
# The image's own user "node", by number, so that a cluster can tell that it is not root.
USER 1000
EXPOSE 7002
# It drains, which takes longer than Docker waits by default: docs/operations.md tells how long before it may be killed.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --start-interval=1s --retries=3 CMD ["node", "healthcheck.mjs"]
ENTRYPOINT ["node", "dist/main.mjs"]
