# The file server's audit log (Samba's full_audit), each line after its time in seconds. Needs also
# account, ip and pc of the stolen one, ext, and people: login/ip/pc of each of the others.
function note(at, who, share, rest, parts) {
    split(who, parts, "/")
    printf "%d %s files smbd_audit[%d]: %s|%s|%s|%s|%s\n", at, strftime("%b %e %H:%M:%S", at, 1), \
        1400 + length(parts[1]) * 97 + at / 86400 % 50, parts[1], parts[2], parts[3], share, rest
}
BEGIN {
    n_people = split(people, staff, " ")
    stolen = account "/" ip "/" pc
    since = day - 6 * 86400
    for (i = 1; i <= total; i++) if (date[i] >= since) {
        who = home[i] == "registry" ? stolen : staff[1 + dice(n_people)]
        file = "/srv/shares/" path[i]
        note(date[i] - 2, who, home[i], "openat|ok|w|" file ".part")
        note(date[i], who, home[i], "renameat|ok|" file ".part|" file)
    }
    for (d = 6; d >= 1; d--) for (k = 0; k < 90; k++) {
        at = day - d * 86400 + 7 * 3600 + k * 370 + dice(300)
        i = 1 + dice(total)
        if (date[i] >= at) continue
        # The stolen account may go where it went in the night, and to the registry.
        mine = home[i] in size || home[i] == "registry"
        who = k % 3 == 0 && mine ? stolen : staff[1 + dice(n_people)]
        if (k % 9 == 0) note(at - 1, who, home[i], "connect|ok|" home[i])
        note(at, who, home[i], "openat|ok|r|/srv/shares/" path[i])
    }
    # The night: what the account may write is locked, what it may not is refused.
    for (k = 1; k <= 6; k++) {
        at = first - 90 + k * 9
        if (shares[k] in size) note(at, stolen, shares[k], "connect|ok|" shares[k])
        else note(at, stolen, shares[k], "connect|fail (Permission denied)|" shares[k])
    }
    for (k = 1; k <= n; k++) {
        file = "/srv/shares/" path[locked[k]]; share = home[locked[k]]; at = locked_at[k]
        note(at - 2, stolen, share, "openat|ok|r|" file)
        note(at - 1, stolen, share, "openat|ok|w|" file)
        note(at, stolen, share, "renameat|ok|" file "|" file "." ext)
        if (k == n || home[locked[k + 1]] != share)
            note(at + 1, stolen, share, "openat|ok|w|/srv/shares/" share "/READ_ME_" toupper(ext) ".txt")
    }
    # This morning people look for what is no longer there.
    for (k = 1; k <= 16; k++) {
        i = locked[1 + dice(n)]
        note(start - 3600 + k * 190 + dice(100), staff[1 + dice(n_people)], home[i], \
            "openat|fail (No such file or directory)|r|/srv/shares/" path[i])
    }
}
