# Fails unless the documents are there as they were filed: those of `only`, or else all but the
# registry's; of a share that was hit, those filed before `until`.
function content(file, one, all) {
    while ((getline one < file) > 0) all = all one "\n"
    close(file)
    return all
}
BEGIN {
    for (i = 1; i <= total; i++) {
        if (only != "" ? home[i] != only : home[i] == "registry") continue
        if (home[i] in size && date[i] > until) continue
        if (content("/srv/shares/" path[i]) != text[i]) exit 1
        found++
    }
    exit !found
}
