
-- A message: SBE header, block, a group of entries, data. What its version does not have is left out.

local function numbers(range) return range:len() <= 4 and range:le_uint() or range:le_uint64():tonumber() end

local function names(set, bits)
    local list = {}
    for bit, name in pairs(set) do
        if math.floor(bits / 2 ^ bit) % 2 == 1 then list[#list + 1] = { bit, name } end
    end
    table.sort(list, function(a, b) return a[1] < b[1] end)
    for i, entry in ipairs(list) do list[i] = entry[2] end
    return table.concat(list, "|")
end

local function fields(list, version, block, tree)
    for _, f in ipairs(list) do
        if f.since <= version and f.at + f.size <= block:len() then
            local range = block(f.at, f.size)
            local raw = range:bytes():tohex(true)
            if f.text then
                tree:add(f.field, range, range:stringz())
            elseif f.bytes then
                tree:add(f.field, range)
            elseif not (f.reserved and raw:match("^0*$")) then
                local item = tree:add_le(f.field, range)
                if f.none == raw then
                    item:append_text(" (none)")
                elseif f.set then
                    item:append_text(" (" .. names(f.set, numbers(range)) .. ")")
                end
            end
        end
    end
end

local function message(tvb, tree)
    if tvb:len() < 8 then return nil end
    local length, template = tvb(0, 2):le_uint(), tvb(2, 2):le_uint()
    local schema, version = tvb(4, 2):le_uint(), tvb(6, 2):le_uint()
    local m = messages[schema] and messages[schema][template]
    local name = m and m.name or string.format("message %d of schema %d", template, schema)
    local under = tree:add(lockstep, tvb(), name)
    under:add(field_message, tvb(0, 8), name)
    if not m or tvb:len() < 8 + length then
        under:add_proto_expert_info(not m and unknown or short)
        return name
    end
    fields(m.fields, version, tvb(8, length), under)
    local at = 8 + length
    for _, g in ipairs(m.groups) do
        if tvb:len() < at + 4 then
            under:add_proto_expert_info(short)
            return name
        end
        local size, count = tvb(at, 2):le_uint(), tvb(at + 2, 2):le_uint()
        at = at + 4
        for i = 1, count do
            if tvb:len() < at + size then
                under:add_proto_expert_info(short)
                return name
            end
            fields(g.fields, version, tvb(at, size), under:add(lockstep, tvb(at, size), string.format("%s %d", g.name, i)))
            at = at + size
        end
    end
    for _, d in ipairs(m.data) do
        if tvb:len() < at + 2 or tvb:len() < at + 2 + tvb(at, 2):le_uint() then
            under:add_proto_expert_info(short)
            return name
        end
        local size = tvb(at, 2):le_uint()
        if size > 0 then under:add(d.field, tvb(at + 2, size)) end
        at = at + 2 + size
    end
    return name
end

-- A record of the feed, as MoldUDP64 hands it over.

function record.dissector(tvb, pinfo, tree)
    local name = message(tvb, tree)
    if name then pinfo.cols.info:append(" " .. name) end
    return tvb:len()
end

DissectorTable.get("moldudp64.payload"):add_for_decode_as(record)

-- Frames of a TCP stream: length u32 of the whole, encoding u16, both big-endian, then a message.

local function size(tvb, _, at) return tvb(at, 4):uint() end

local function frame(tvb, pinfo, tree)
    pinfo.cols.protocol = "Lockstep"
    local name = message(tvb(6):tvb(), tree)
    if name then pinfo.cols.info:append(" " .. name) end
    return tvb:len()
end

function lockstep.dissector(tvb, pinfo, tree)
    dissect_tcp_pdus(tvb, tree, 6, size, frame)
    return tvb:len()
end

DissectorTable.get("tcp.port"):add_for_decode_as(lockstep)
