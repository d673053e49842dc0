# Prints a script that makes the documents below `root`.
BEGIN {
    for (i = 1; i <= total; i++) {
        file = root "/" path[i]
        printf "%s", text[i] > file
        close(file)
        printf "touch -d @%d %s\n", date[i], file
    }
}
