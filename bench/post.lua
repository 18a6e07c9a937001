-- Posts ready-made requests from a file: eight digits of length, then the request, and so on.
-- Arguments: the file, "once" or "again", then for each thread the first byte and the last.

local threads = {}

function setup(thread)
  threads[#threads + 1] = thread
  thread:set("number", #threads)
  thread:set("spent", false)
end

function init(args)
  file = assert(io.open(args[1], "rb"))
  again = args[2] == "again"
  first = tonumber(args[2 * number + 1])
  last = tonumber(args[2 * number + 2])
  place = first
  file:seek("set", first)
end

function request()
  if place >= last then
    if not again then
      spent = true -- the same request twice would measure something else
      wrk.thread:stop()
      return ""
    end
    place = first
    file:seek("set", first)
  end
  local size = tonumber(file:read(8))
  place = place + 8 + size
  return file:read(size)
end

function done(summary, latency, requests)
  local spent = false
  for _, thread in ipairs(threads) do
    spent = spent or thread:get("spent")
  end
  local errors = summary.errors
  io.write(string.format(
    '\nmeasured {"requests": %d, "microseconds": %d, "p50": %.0f, "p99": %.0f, "most": %.0f, '
      .. '"refused": %d, "broken": %d, "spent": %s}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    latency.max, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    tostring(spent)))
end
