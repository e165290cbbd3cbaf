/// The page's script: filters, and a dialog with one sample. The script inserts texts as text, never as markup. The
/// content security policy names the script's digest.
enum ReportScript {
    static let source = """
        'use strict';
        {
          const find = (id) => document.getElementById(id);
          const data = JSON.parse(find('data').textContent);
          const items = [...document.querySelectorAll('.pictures li')];
          const selects = [...document.querySelectorAll('#filters select')];
          const dialog = find('sample'), large = find('large');
          let shown = items.map((_, sample) => sample); // samples that pass the filters
          let current = 0; // the sample in the dialog

          // A picture becomes a button: Enter and a click open it.
          const buttons = items.map((item, sample) => {
            const image = item.querySelector('img'), button = document.createElement('button');
            button.type = 'button';
            button.setAttribute('aria-haspopup', 'dialog');
            image.replaceWith(button);
            button.append(image);
            button.addEventListener('click', () => { show(sample); dialog.showModal(); dialog.scrollTop = 0; });
            return button;
          });

          function filter() {
            shown = [];
            items.forEach((item, sample) => {
              const passes = selects.every(
                (select, number) => select.value === '' || data.samples[sample].filters[number] === \
                Number(select.value));
              item.hidden = !passes;
              if (passes) shown.push(sample);
            });
            find('status').textContent = `${shown.length} of ${items.length} shown`;
          }

          function show(sample) {
            current = sample;
            const image = buttons[sample].firstChild, { facts, run } = data.samples[sample];
            large.src = image.src;
            large.alt = image.alt;
            // Small pictures are enlarged to 512 pixels; none is made smaller but by the window.
            large.width = Math.max(image.naturalWidth, 512);
            large.height = Math.round(large.width * image.naturalHeight / image.naturalWidth);
            find('sample-title').textContent = `Picture ${facts[0]} (${shown.indexOf(sample) + 1} of ${shown.length})`;
            const pairs = [...data.labels.map((label, number) => [label, facts[number]]), ...data.runs[run]];
            find('facts').replaceChildren(...pairs.flatMap(([name, text]) => {
              const term = document.createElement('dt'), value = document.createElement('dd');
              term.textContent = name;
              value.textContent = text;
              return [term, value];
            }));
          }

          // Steps through the samples that pass the filters, around the ends.
          function step(by) {
            show(shown[(shown.indexOf(current) + by + shown.length) % shown.length]);
          }

          find('previous').addEventListener('click', () => step(-1));
          find('next').addEventListener('click', () => step(1));
          find('close').addEventListener('click', () => dialog.close());
          dialog.addEventListener('keydown', (event) => {
            if (event.altKey || event.ctrlKey || event.metaKey) return;
            if (event.key === 'ArrowLeft') step(-1);
            else if (event.key === 'ArrowRight') step(1);
            else return;
            event.preventDefault();
          });
          // The dialog is covered by its sheet: what is clicked beside it is the backdrop.
          dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
          dialog.addEventListener('close', () => buttons[current].focus());

          selects.forEach((select) => select.addEventListener('change', filter));
          find('reset').addEventListener('click', () => {
            selects.forEach((select) => { select.value = ''; });
            filter();
          });
          find('filters').hidden = false;
          filter();
        }
        """
}
