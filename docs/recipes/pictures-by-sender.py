"""Copy the pictures of a message into a folder of its sender: pictures-by-sender.py FOLDER."""

import json
import shutil
import sys
from pathlib import Path

data = json.load(sys.stdin)["data"]
message = data["message"]
number = message.get("from", {}).get("phoneNumber", "")
# digits alone: nothing a stranger sends can lead out of the folder
folder = Path(sys.argv[1], "".join(filter(str.isdigit, number)) or "unknown")
folder.mkdir(parents=True, exist_ok=True)
pictures = [file for file in data["files"] if file["contentType"].startswith("image/")]
for file in pictures:
    # the same name in every attempt, so that a repeat adds nothing
    shutil.copyfile(file["path"], folder / f"{message['id']}-{file['name']}")
print(f"{len(pictures)} pictures kept")
